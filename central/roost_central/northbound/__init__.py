"""What goes out to operators' own tools: MQTT, SNMP, webhooks, Alertmanager, Prometheus."""
