@NullMarked
package dev.eden.activities.postgres.preparation;

import org.jspecify.annotations.NullMarked;
