package dev.eden.api.metrics;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What this process has made disks do since it began, by Linux' own count; what the page cache served is not in it. */
record DiskTraffic(Path file) {
    static final Path LINUX = Path.of("/proc/self/io");

    /** Empty where the system does not say it. */
    static Optional<DiskTraffic> at(Path file) {
        DiskTraffic traffic = new DiskTraffic(file);
        return Double.isNaN(traffic.read()) ? Optional.empty() : Optional.of(traffic);
    }

    double read() {
        return count("read_bytes: ");
    }

    double written() {
        return count("write_bytes: ");
    }

    private double count(String label) {
        try {
            return Files.readString(file)
                    .lines()
                    .filter(line -> line.startsWith(label))
                    .mapToDouble(line -> Double.parseDouble(line.substring(label.length())))
                    .findFirst()
                    .orElse(Double.NaN);
        } catch (IOException | NumberFormatException e) {
            return Double.NaN;
        }
    }
}
