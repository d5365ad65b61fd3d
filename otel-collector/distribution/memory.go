package main

import (
	"os"
	"strconv"
	"strings"
)

const (
	mostMemoryMiB  = 256
	leastMemoryMiB = 32
)

// cgroup 2 and 1; inside a container these are the container's own.
var memoryLimitFiles = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// usualMemoryMiB is 256, or three quarters of the container's limit where that is less.
func usualMemoryMiB() int64 {
	for _, file := range memoryLimitFiles {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
			return max(leastMemoryMiB, min(mostMemoryMiB, limit>>20*3/4))
		}
	}
	return mostMemoryMiB
}
