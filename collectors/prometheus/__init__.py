"""The fleet as Prometheus or VictoriaMetrics has it: workloads of many hosts, now and over weeks."""
