"""Facebook, as far as igloo speaks with it; nothing else in the service knows its words."""
