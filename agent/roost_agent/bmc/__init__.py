"""Board controllers: power, boot device, sensors and logs of machines, by Redfish or IPMI."""
