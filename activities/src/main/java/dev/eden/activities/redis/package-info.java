@NullMarked
package dev.eden.activities.redis;

import org.jspecify.annotations.NullMarked;
