@NullMarked
package dev.eden.activities.postgres.preflight;

import org.jspecify.annotations.NullMarked;
