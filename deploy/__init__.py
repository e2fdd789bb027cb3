"""How freshrec is deployed."""
