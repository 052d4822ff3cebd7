@NullMarked
package dev.eden.activities.redis.cleanup;

import org.jspecify.annotations.NullMarked;
