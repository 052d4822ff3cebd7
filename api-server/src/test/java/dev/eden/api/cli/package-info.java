/** The command line's tests. */
@NullMarked
package dev.eden.api.cli;

import org.jspecify.annotations.NullMarked;
