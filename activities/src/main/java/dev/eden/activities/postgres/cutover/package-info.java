@NullMarked
package dev.eden.activities.postgres.cutover;

import org.jspecify.annotations.NullMarked;
