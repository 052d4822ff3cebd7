@NullMarked
package dev.eden.activities.migration;

import org.jspecify.annotations.NullMarked;
