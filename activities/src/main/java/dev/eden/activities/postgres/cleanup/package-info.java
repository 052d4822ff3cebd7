@NullMarked
package dev.eden.activities.postgres.cleanup;

import org.jspecify.annotations.NullMarked;
