@NullMarked
package dev.eden.activities.redis.replication;

import org.jspecify.annotations.NullMarked;
