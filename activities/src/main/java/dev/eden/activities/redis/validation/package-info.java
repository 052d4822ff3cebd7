@NullMarked
package dev.eden.activities.redis.validation;

import org.jspecify.annotations.NullMarked;
