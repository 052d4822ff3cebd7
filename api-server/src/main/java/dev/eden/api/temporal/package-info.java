/** The Temporal client: starting migrations, sending commands, asking for views. */
@NullMarked
package dev.eden.api.temporal;

import org.jspecify.annotations.NullMarked;
