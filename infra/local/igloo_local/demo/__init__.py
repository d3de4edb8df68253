"""Demo data: twelve animals of the far north, whom they follow, sixty posts, and what they say about them."""
