"""What igloo signs: access tokens, and the keys behind them."""
