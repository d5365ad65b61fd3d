module fraud-monitoring/collector-config

go 1.25.0
