@NullMarked
package dev.eden.activities.cleanup;

import org.jspecify.annotations.NullMarked;
