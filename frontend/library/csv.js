// @ts-check
/** The table as a file: RFC 4180, one row a sound. */

/** @param {unknown} value */
function cell(value) {
  let text = value === null || value === undefined ? "" : String(value);
  // A spreadsheet would run these as formulas.
  if (/^[=+\-@\t\r]/.test(text) && typeof value === "string") text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * @param {import("../core/sounds.js").Library} library
 * @param {number[]} rows
 * @param {{distance: string, values: number[]} | null} distances
 * @param {string} unit
 */
export function toCsv(library, rows, distances, unit) {
  const head = ["id", "name", "family", "seconds", "pitch_hz", "x", "y", "source", "licence", "credit"];
  if (distances) head.push(`${distances.distance}_distance_to_a_${unit}`);
  const lines = rows.map((i) => {
    const row = [
      library.id[i],
      library.name[i],
      library.familyName(i),
      library.seconds[i],
      library.pitch[i],
      library.x[i],
      library.y[i],
      library.source[i],
      library.licence[i],
      library.credit[i],
    ];
    if (distances) row.push(distances.values[i]);
    return row.map(cell).join(",");
  });
  return [head.join(","), ...lines, ""].join("\r\n");
}
