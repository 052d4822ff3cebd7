package dev.eden.api.cli;

import picocli.CommandLine.Option;

/** Where the control plane can be asked. */
final class PortOptions {
    @Option(
            names = "--api-port",
            defaultValue = "${env:EDEN_API_PORT:-8000}",
            description = "EDEN_API_PORT; default: ${DEFAULT-VALUE}; 0: a free one")
    int api;

    @Option(
            names = "--admin-port",
            defaultValue = "${env:EDEN_ADMIN_PORT:-8001}",
            description = "of /metrics and /health (EDEN_ADMIN_PORT; default: ${DEFAULT-VALUE}); 0: a free one")
    int admin;
}
