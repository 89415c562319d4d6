"""What operators ask: REST, the live stream and the login, from one explicit route table."""
