/** Which request a line of the log belongs to, on whatever thread and process it was written. */
@NullMarked
package dev.eden.api.trace;

import org.jspecify.annotations.NullMarked;
