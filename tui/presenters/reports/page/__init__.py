"""A session as one HTML page: verdict, charts of hosts, tables and charts of workloads, events."""
