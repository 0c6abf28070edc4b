"""What every command needs of the machine: its version, files, memory and messages. It knows nothing of models."""
