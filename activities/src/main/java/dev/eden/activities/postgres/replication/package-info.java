@NullMarked
package dev.eden.activities.postgres.replication;

import org.jspecify.annotations.NullMarked;
