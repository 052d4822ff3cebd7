package dev.eden.workflows.worker;

import dev.eden.workflows.activity.CanaryActivities;
import dev.eden.workflows.activity.CleanupActivities;
import dev.eden.workflows.activity.CutoverActivities;
import dev.eden.workflows.activity.DirectoryActivities;
import dev.eden.workflows.activity.PreparationActivities;
import dev.eden.workflows.activity.ReplicationActivities;
import dev.eden.workflows.activity.ValidationActivities;

/** One implementation of each activity interface. */
public record MigrationActivities(
        PreparationActivities preparation,
        ReplicationActivities replication,
        ValidationActivities validation,
        CanaryActivities canary,
        CutoverActivities cutover,
        CleanupActivities cleanup,
        DirectoryActivities directory) {}
