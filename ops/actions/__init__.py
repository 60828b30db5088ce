"""What an operator does to a running cell: decisions and calls, apart from the commands that ask for them."""
