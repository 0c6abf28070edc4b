"""Our programs under measurement; they import nothing of the peers."""
