@NullMarked
package dev.eden.activities.redis.preparation;

import org.jspecify.annotations.NullMarked;
