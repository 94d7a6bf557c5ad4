"""Speed and size of this project beside Rasa's defaults, measured in one run: `make bench`."""
