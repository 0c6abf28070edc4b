"""What is wrong with the data of a configuration, found before any training: `train.py check`."""
