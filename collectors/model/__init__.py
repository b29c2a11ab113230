"""Plain data and protocols: workloads, frames, metrics, actions, details, logs, consoles, errors."""
