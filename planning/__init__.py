"""What a schedule will do, computed before the training by what the training itself draws from."""
