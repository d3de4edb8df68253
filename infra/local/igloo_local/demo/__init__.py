"""Demo data: twelve animals of the far north, whom they follow, and sixty posts with drawn photos."""
