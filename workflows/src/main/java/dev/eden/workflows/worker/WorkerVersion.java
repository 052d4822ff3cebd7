package dev.eden.workflows.worker;

/**
 * What Temporal calls a worker deployment version. A run of a migration stays with the version that began it, and hands over to the current
 * one by continue-as-new, between two steps: no run is ever replayed by other code than its own.
 *
 * @param deployment the same for all servers of one Eden
 * @param build another for each version of the code
 */
public record WorkerVersion(String deployment, String build) {
    public WorkerVersion {
        // The SDK writes them as DEPLOYMENT.BUILD.
        if (deployment.isBlank() || deployment.indexOf('.') >= 0 || build.isBlank()) {
            throw new IllegalArgumentException("a deployment has a name without dots, and a build has a name");
        }
    }
}
