/** The workflow's activities, each composed of what the engines do and what the store must know. */
@NullMarked
package dev.eden.activities.migration;

import org.jspecify.annotations.NullMarked;
