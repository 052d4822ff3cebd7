/** The command line. */
@NullMarked
package dev.eden.api.cli;

import org.jspecify.annotations.NullMarked;
