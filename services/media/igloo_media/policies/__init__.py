"""What may be uploaded, seen and kept, and for how long; pure functions and figures."""
