"""Changes good photos in bad ways by the ten thousand, and sees what the worker makes of each."""
