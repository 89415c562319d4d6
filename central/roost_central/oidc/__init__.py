"""Logins by an OpenID provider: authorisation code with PKCE, and an ID token that is verified."""
