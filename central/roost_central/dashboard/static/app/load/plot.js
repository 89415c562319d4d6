/** A small plot of counts by hour: bars, the limit as a line, flood hours hatched; and as a table. */
import { html } from "../html.js";
import { timeText } from "../time.js";

const WIDTH = 960;
const HEIGHT = 120;

/** @param {{hours: {at: string, count: number, flood: boolean}[], limit: number}} given */
export function HourPlot({ hours, limit }) {
  if (!hours.length) return html`<p class="empty">Nothing was counted yet.</p>`;
  const top = Math.max(limit, ...hours.map(({ count }) => count), 1);
  const step = WIDTH / hours.length;
  const y = (count) => HEIGHT - (HEIGHT * count) / top;
  const most = hours.reduce((worst, hour) => (hour.count > worst.count ? hour : worst));
  return html`<figure class="plot"><svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img"
      aria-label=${`at most ${most.count} alarms in one hour; the limit is ${limit}`}>
      ${hours.map((hour, index) => html`<rect key=${hour.at} class=${hour.flood ? "flood" : ""}
        x=${index * step + 1} width=${Math.max(1, step - 2)} y=${y(hour.count)}
        height=${HEIGHT - y(hour.count)}><title>${`${timeText(hour.at)}: ${hour.count}${hour.flood ? ", flood" : ""}`}</title></rect>`)}
      <line x1="0" x2=${WIDTH} y1=${y(limit)} y2=${y(limit)} /></svg>
    <figcaption><span>${timeText(hours[0].at)}</span><span>most: ${most.count.toLocaleString("en")} in an hour ·
      line: limit of ${limit.toLocaleString("en")}${hours.some(({ flood }) => flood) ? " · outlined: flood" : ""}</span>
      <span>${timeText(hours.at(-1).at)}</span></figcaption>
    <details><summary>As a table</summary><table class="plain"><thead><tr><th>Hour</th><th class="number">Alarms</th>
      <th>Flood</th></tr></thead><tbody>${hours.map((hour) => html`<tr key=${hour.at}><td>${timeText(hour.at)}</td>
      <td class="number">${hour.count}</td><td>${hour.flood ? "flood" : ""}</td></tr>`)}</tbody></table></details></figure>`;
}
