"""The sweep function: finds the keys that should not be there, ends them, and says what a person must look at."""
