"""The web server that scrapers ask: where it listens, who may ask, what is answered."""
