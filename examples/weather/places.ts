// Weather of three places as series without gaps, in three parts by date. Not here: windows, models (main.ts).
import { createRequire } from "node:module";
import { join } from "node:path";
import { UnreelError } from "../../src/errors.js";
import { data, Tensor } from "../../src/index.js";

/** A stretch of time at one station, a row a step. */
export interface Series {
  /** [steps, features]; the first feature is the temperature, in °C. */
  readonly rows: Tensor;
}

export interface Weather {
  readonly features: readonly string[];
  /** One series a station, for each part of the time. */
  readonly train: readonly Series[];
  readonly validation: readonly Series[];
  readonly test: readonly Series[];
}

export interface Place {
  /** One step. */
  readonly unit: "hour" | "day";
  /** Steps that a forecast sees. */
  readonly window: number;
  /** How far ahead the direct models look; the last is how far the other one looks. */
  readonly horizons: readonly [number, number];
  /** Windows for each training step, and steps from one training window to the next. */
  readonly batch: number;
  readonly stride: number;
  /** Of each layer. */
  readonly units: number;
  /** Below the data folder; undefined: an npm package. */
  readonly file?: string;
  /** The first moments of validation and test. */
  readonly parts: readonly [string, string];
  /** What is measured. Where there are several stations, this column names them. */
  readonly station?: string;
  readonly time: string;
  /** Numbers of a record, by name; NaN where missing. */
  readonly read: (record: Record<string, number | string>) => Record<string, number>;
  readonly texts?: readonly string[];
}

export const PLACES = ["seattle", "newYork", "beijing"] as const;

const celsius = (fahrenheit: number) => ((fahrenheit - 32) * 5) / 9;
const number = (value: number | string) => (typeof value === "number" ? value : Number.NaN);
/** East and north of a wind; calm, and from everywhere, is neither. */
const wind = (degrees: number, speed: number) => {
  const angle = (degrees * Math.PI) / 180;
  const isKnown = Number.isFinite(degrees);
  return { east: isKnown ? speed * Math.sin(angle) : 0, north: isKnown ? speed * Math.cos(angle) : 0 };
};
const DIRECTIONS: Record<string, number> = { NE: 45, SE: 135, NW: 315 };

export const WEATHER: Record<(typeof PLACES)[number], Place> = {
  seattle: {
    unit: "day",
    window: 14,
    horizons: [1, 7],
    batch: 16,
    stride: 1,
    units: 16,
    parts: ["2014-01-01", "2015-01-01"],
    time: "date",
    texts: ["weather"],
    read: (day) => ({
      temperature: number(day.temp_max),
      lowest: number(day.temp_min),
      rain: Math.log1p(number(day.precipitation)),
      wind: number(day.wind),
    }),
  },
  newYork: {
    unit: "hour",
    window: 48,
    horizons: [1, 24],
    batch: 64,
    stride: 2,
    units: 32,
    file: "timeseries/nyc-weather-2013-hourly.csv.gz",
    parts: ["2013-09-01", "2013-11-01"],
    time: "time",
    station: "station",
    read: (hour) => ({
      temperature: celsius(number(hour.temp_f)),
      dewpoint: celsius(number(hour.dewpoint_f)),
      humidity: number(hour.humidity_pct),
      pressure: number(hour.pressure_mb),
      rain: Math.log1p(number(hour.precip_in)),
      visibility: number(hour.visibility_mi),
      ...wind(number(hour.wind_dir_deg), number(hour.wind_mph)),
    }),
  },
  beijing: {
    unit: "hour",
    window: 48,
    horizons: [1, 24],
    batch: 64,
    stride: 2,
    units: 32,
    file: "timeseries-uci/beijing-pm25-hourly.csv.gz",
    parts: ["2013-01-01", "2014-01-01"],
    time: "time",
    texts: ["wind_dir"],
    read: (hour) => ({
      temperature: number(hour.temp_c),
      dewpoint: number(hour.dewpoint_c),
      pressure: number(hour.pressure_hpa),
      rain: Math.log1p(number(hour.rain_cum_h)),
      snow: Math.log1p(number(hour.snow_cum_h)),
      particles: Math.log1p(number(hour.pm25)),
      ...wind(DIRECTIONS[hour.wind_dir] ?? Number.NaN, Math.log1p(number(hour.wind_cum_ms))),
    }),
  },
};

const PACKAGE = "vega-datasets";
const HOUR = 3_600_000;

function fileOf({ file }: Place, folder: string): string {
  if (file !== undefined) return join(folder, file);
  try {
    return createRequire(import.meta.url).resolve(`${PACKAGE}/data/seattle-weather.csv`);
  } catch (cause) {
    throw new UnreelError({
      operation: "readWeather",
      expected: `the npm package ${PACKAGE}`,
      got: cause instanceof Error ? cause.message.split("\n")[0] : String(cause),
      hint: "Run npm install (with devDependencies).",
    });
  }
}

/** 2013-01-01T05 and 2012/01/01, as milliseconds. */
function momentOf(text: string): number {
  const [date, hour = "00"] = text.replaceAll("/", "-").split("T");
  return Date.parse(`${date}T${hour}:00Z`);
}

/** Every step of the time, also those that the file lacks: where a number is missing, the last one goes on. */
export async function readWeather(place: Place, folder: string): Promise<Weather> {
  const { unit, time, station, texts = [], parts, read } = place;
  const step = unit === "hour" ? HOUR : 24 * HOUR;
  const named = [time, ...(station === undefined ? [] : [station]), ...texts];
  const records = data.Dataset.fromCsv<Record<string, number | string>>(fileOf(place, folder), {
    types: Object.fromEntries(named.map((name) => [name, "string" as const])),
    onMissing: Number.NaN,
  });
  const stations = new Map<string, Map<number, Record<string, number>>>();
  for await (const record of records) {
    const name = station === undefined ? "" : String(record[station]);
    const moments = stations.get(name) ?? new Map<number, Record<string, number>>();
    stations.set(name, moments.set(momentOf(String(record[time])), read(record)));
  }

  const bounds = [Number.NEGATIVE_INFINITY, ...parts.map(momentOf), Number.POSITIVE_INFINITY];
  const found: [Series[], Series[], Series[]] = [[], [], []];
  let features: string[] = [];
  for (const moments of stations.values()) {
    const times = [...moments.keys()].sort((a, b) => a - b);
    features = Object.keys(moments.get(times[0])!);
    const rows: number[][][] = [[], [], []];
    let last = features.map(() => 0);
    for (let now = times[0]; now <= times.at(-1)!; now += step) {
      const values = moments.get(now);
      last = last.map((before, i) =>
        Number.isFinite(values?.[features[i]]) ? values![features[i]] : before,
      );
      const part = bounds.findLastIndex((bound) => now >= bound);
      rows[part].push([...last, ...calendar(now, unit)]);
    }
    rows.forEach((part, k) => {
      const width = part[0].length;
      found[k].push({ rows: new Tensor(Float32Array.from(part.flat()), [part.length, width]) });
    });
  }
  const [train, validation, test] = found;
  return {
    features: [...features, ...(unit === "hour" ? ["hour", "hour"] : []), "season", "season"],
    train,
    validation,
    test,
  };
}

/** Where the year, and the day, stand: on a circle, so that midnight is near to eleven. */
function calendar(moment: number, unit: Place["unit"]): number[] {
  const turn = (period: number) => [
    Math.sin((2 * Math.PI * moment) / period),
    Math.cos((2 * Math.PI * moment) / period),
  ];
  return [...(unit === "hour" ? turn(24 * HOUR) : []), ...turn(365.2425 * 24 * HOUR)];
}
