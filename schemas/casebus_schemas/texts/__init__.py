"""Every symbol of the bus in Chinese and in English."""
