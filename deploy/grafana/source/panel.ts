// The few kinds of panels that the dashboard has. What all of a kind share stands here, once.
import {
  AxisPlacement,
  BarAlignment,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  FieldColorModeId,
  GraphDrawStyle,
  LegendDisplayMode,
  LineInterpolation,
  PercentChangeColorMode,
  ScaleDistribution,
  SortOrder,
  StackingMode,
  TableCellHeight,
  ThresholdsMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizOrientation,
  type DashboardLink,
  type DataQuery,
  type DataTransformerConfig,
  type FieldConfig,
  type FieldConfigSource,
  type GridPos,
  type Panel,
  type RowPanel,
  type ScaleDistributionConfig,
  type TableOptions,
  type Threshold,
} from '@grafana/schema';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type {
  FieldConfig as TimeSeriesFieldConfig,
  Options as TimeSeriesOptions,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import { GOOD } from './palette';

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** In words: Grafana's own "cpm" is counts to nobody. */
export const PER_MINUTE = 'suffix:per minute';

const RUNBOOKS = 'https://github.com/cotalker-webhook-exporter/cotalker-webhook-exporter/blob/main/docs/runbooks.md';

/** A query as Grafana's data source for Prometheus stores it. */
export type Target = DataQuery &
  Record<string, unknown> & {
    datasource: typeof DATASOURCE;
    editorMode: 'code';
    expr: string;
    format: 'time_series' | 'table';
    instant: boolean;
    legendFormat: string;
    range: boolean;
  };

export type Override = FieldConfigSource['overrides'][number];

/** What every panel must have. */
export interface Face {
  title: string;
  /** What it shows, and what to do about it. */
  description: string;
  /** One of Grafana's units. */
  unit: string;
  /** The alerts that watch the same; each has a section among the runbooks. */
  alerts?: string[];
}

/** A legend and the query that it stands for. */
export type Series = [legend: string, expression: string];

/** A link to a page, opened beside the dashboard. */
export function link(title: string, tooltip: string, url: string): DashboardLink {
  return {
    asDropdown: false,
    icon: 'doc',
    includeVars: false,
    keepTime: false,
    tags: [],
    targetBlank: true,
    title,
    tooltip,
    type: 'link',
    url,
  };
}

function face(panel: Face): Pick<Panel, 'title' | 'description' | 'datasource' | 'links'> {
  const links = (panel.alerts ?? []).map((alert) =>
    link(`Runbook: ${alert}`, `What to do when ${alert} fires`, `${RUNBOOKS}#${alert.toLowerCase()}`),
  );
  return { title: panel.title, description: panel.description, datasource: DATASOURCE, links };
}

function targets(series: Series[], kind: 'range' | 'instant' | 'table'): Target[] {
  return series.map(([legendFormat, expr], index) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource: DATASOURCE,
    editorMode: 'code',
    expr,
    format: kind === 'table' ? 'table' : 'time_series',
    instant: kind !== 'range',
    legendFormat,
    range: kind === 'range',
  }));
}

/**
 * About how many steps a subquery over the shown range has; Grafana would take the panel's width in pixels. It extrapolates
 * by one step, and reads each failure reason of each webhook at each step.
 */
const SUBQUERY_STEPS = 500;

/** The first colour holds from below, each further one from its value on. */
export function steps(first: string, ...further: [from: number, color: string][]): Threshold[] {
  return [{ color: first, value: null }, ...further.map(([value, color]) => ({ color, value }))];
}

export function override(field: string, properties: Record<string, unknown>): Override {
  return {
    matcher: { id: 'byName', options: field },
    properties: Object.entries(properties).map(([id, value]) => ({ id, value })),
  };
}

export function fixedColor(field: string, color: string, name?: string): Override {
  return override(field, {
    color: { mode: FieldColorModeId.Fixed, fixedColor: color },
    ...(name === undefined ? {} : { displayName: name }),
  });
}

/** The same for all names that a regular expression matches. */
export function fixedColors(pattern: string, color: string): Override {
  const matched = fixedColor(pattern, color);
  return { ...matched, matcher: { id: 'byRegexp', options: pattern } };
}

/** A number in large, coloured by its thresholds. */
export function stat(panel: Face & { expression: string; steps: Threshold[]; config?: FieldConfig }): Panel {
  return {
    ...face(panel),
    type: 'stat',
    maxDataPoints: SUBQUERY_STEPS,
    targets: targets([[panel.title, panel.expression]], 'instant'),
    fieldConfig: {
      defaults: {
        color: { mode: FieldColorModeId.Thresholds },
        noValue: '–',
        thresholds: { mode: ThresholdsMode.Absolute, steps: panel.steps },
        unit: panel.unit,
        ...panel.config,
      },
      overrides: [],
    },
    options: {
      colorMode: BigValueColorMode.Background,
      graphMode: BigValueGraphMode.None,
      justifyMode: BigValueJustifyMode.Center,
      orientation: VizOrientation.Auto,
      percentChangeColorMode: PercentChangeColorMode.Standard,
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      showPercentChange: false,
      textMode: BigValueTextMode.Value,
      wideLayout: true,
    } satisfies StatOptions & Record<string, unknown>,
  };
}

/** Curves over time; stacked where the parts make a whole. */
export function timeseries(
  panel: Face & {
    series: Series[];
    stacked?: boolean;
    /** It may be 0 all the time. The axis then goes to 1, and not to 100. */
    restsAtZero?: boolean;
    overrides?: Override[];
    config?: FieldConfig;
    noValue: string;
    scale?: ScaleDistributionConfig;
  },
): Panel {
  const custom: TimeSeriesFieldConfig & Record<string, unknown> = {
    axisPlacement: AxisPlacement.Auto,
    ...(panel.restsAtZero ? { axisSoftMax: 1 } : {}),
    axisSoftMin: 0,
    barAlignment: BarAlignment.Center,
    drawStyle: GraphDrawStyle.Line,
    fillOpacity: panel.stacked ? 60 : 0,
    lineInterpolation: panel.stacked ? LineInterpolation.StepAfter : LineInterpolation.Linear,
    lineWidth: panel.stacked ? 1 : 2,
    scaleDistribution: panel.scale ?? { type: ScaleDistribution.Linear },
    showPoints: VisibilityMode.Never,
    spanNulls: false,
    stacking: { group: 'A', mode: panel.stacked ? StackingMode.Normal : StackingMode.None },
  };
  return {
    ...face(panel),
    type: 'timeseries',
    targets: targets(panel.series, 'range'),
    fieldConfig: {
      defaults: {
        color: { mode: FieldColorModeId.PaletteClassicByName },
        custom,
        min: 0,
        noValue: panel.noValue,
        thresholds: { mode: ThresholdsMode.Absolute, steps: steps(GOOD) },
        unit: panel.unit,
        ...panel.config,
      },
      overrides: panel.overrides ?? [],
    },
    options: {
      legend: { calcs: [], displayMode: LegendDisplayMode.List, placement: 'bottom', showLegend: true },
      tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
    } satisfies TimeSeriesOptions & Record<string, unknown>,
  };
}

/** A column: its heading, the query, and how its cells look. */
export interface Column {
  name: string;
  /** The field that the query's answer is in: its value, or a label. */
  field?: string;
  expression?: string;
  look?: Record<string, unknown>;
}

/** A row per set of labels that all queries share; the columns stand in the given order. */
export function table(
  panel: Face & { columns: Column[]; hidden: string[]; noValue: string; sortBy: TableOptions['sortBy'] },
): Panel {
  const queried = panel.columns.filter((column) => column.expression !== undefined);
  const all = targets(
    queried.map((column) => [column.name, column.expression ?? '']),
    'table',
  );
  const fieldOf = (column: Column) => column.field ?? `Value #${all[queried.indexOf(column)]?.refId ?? ''}`;
  // The value of a query that is there for a label says nothing more.
  const spare = queried
    .filter((column) => column.field)
    .map((column) => `Value #${all[queried.indexOf(column)]?.refId}`);
  const transformations: DataTransformerConfig[] = [
    { id: 'merge', options: {} },
    {
      id: 'organize',
      options: {
        excludeByName: Object.fromEntries(['Time', ...panel.hidden, ...spare].map((name) => [name, true])),
        indexByName: Object.fromEntries(panel.columns.map((column, index) => [fieldOf(column), index])),
        renameByName: Object.fromEntries(panel.columns.map((column) => [fieldOf(column), column.name])),
      },
    },
  ];
  return {
    ...face(panel),
    type: 'table',
    maxDataPoints: SUBQUERY_STEPS,
    targets: all,
    transformations,
    fieldConfig: {
      defaults: {
        color: { mode: FieldColorModeId.Thresholds },
        custom: { align: 'auto', cellOptions: { type: 'auto' } },
        noValue: panel.noValue,
        thresholds: { mode: ThresholdsMode.Absolute, steps: steps('text') },
        unit: panel.unit,
      },
      overrides: panel.columns
        .filter((column) => column.look)
        .map((column) => override(column.name, column.look ?? {})),
    },
    options: {
      cellHeight: TableCellHeight.Sm,
      frameIndex: 0,
      showHeader: true,
      sortBy: panel.sortBy ?? [],
    } satisfies TableOptions & Record<string, unknown>,
  };
}

/**
 * What Grafana's own alert rules, and those of a data source for Prometheus, say now: both are listed, so that it works with
 * either kind of rule.
 */
export function alertList(panel: { title: string; description: string }): Panel {
  return {
    title: panel.title,
    description: panel.description,
    type: 'alertlist',
    options: {
      alertInstanceLabelFilter: '',
      alertName: 'Cotalker',
      dashboardAlerts: false,
      groupBy: [],
      groupMode: 'default',
      maxItems: 30,
      showInactiveAlerts: false,
      showInstances: true,
      sortOrder: 3,
      stateFilter: { error: true, firing: true, noData: false, normal: false, pending: false, recovering: true },
      viewMode: 'list',
    },
  };
}

/** Panels under a heading, from left to right and from top to bottom. */
export function row(
  title: string,
  ...lines: { height: number; panels: Panel[] }[]
): (top: number) => [(Panel | RowPanel)[], number] {
  return (top) => {
    const heading: RowPanel = {
      id: 0,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { h: 1, w: 24, x: 0, y: top },
    };
    let y = top + 1;
    const placed = lines.flatMap(({ height, panels }) => {
      const w = 24 / panels.length;
      const line = panels.map((panel, index): Panel => {
        const gridPos: GridPos = { h: height, w, x: index * w, y };
        return { ...panel, gridPos };
      });
      y += height;
      return line;
    });
    return [[heading, ...placed], y];
  };
}
