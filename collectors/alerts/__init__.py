"""Rules that say when something is wrong, and the alerts that follow: the same live, recorded and exported."""
