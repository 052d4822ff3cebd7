@NullMarked
package dev.eden.activities.postgres.fence;

import org.jspecify.annotations.NullMarked;
