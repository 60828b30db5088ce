"""What a reviewer needs to know about a change before it is merged."""
