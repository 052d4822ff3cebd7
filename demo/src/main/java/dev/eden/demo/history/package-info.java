/** What a load did and saw: operations of every client, by the clock of one process. */
@NullMarked
package dev.eden.demo.history;

import org.jspecify.annotations.NullMarked;
