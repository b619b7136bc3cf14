// The dashboard drawn in a browser by Grafana's own packages. Here stands only what Grafana keeps in its application and
// publishes in no package: making frames of Prometheus' answers, and choosing a component for each type of panel.
import {
  createTheme,
  FieldType,
  ThemeContext,
  applyFieldOverrides,
  cacheFieldDisplayNames,
  dateTime,
  getFieldDisplayValues,
} from '@grafana/data';
import {
  FieldConfigOptionsRegistry,
  identityOverrideProcessor,
  standardTransformers,
  standardTransformersRegistry,
} from '@grafana/data';
import {
  displayNameOverrideProcessor,
  numberOverrideProcessor,
  thresholdsOverrideProcessor,
  transformDataFrame,
} from '@grafana/data';
import { unitOverrideProcessor, valueMappingsOverrideProcessor } from '@grafana/data';
import type { DataFrame, DataTransformerConfig, FieldConfigSource, TimeRange } from '@grafana/data';
import { BigValue, GlobalStyles, PanelChrome, TimeSeries } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import type { Panel, VizLegendOptions } from '@grafana/schema';
import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { lastValueFrom } from 'rxjs';
import type { Answer, Picture } from './picture';

const COLUMNS = 24;
const CELL = 30;
const GAP = 8;

const theme = createTheme({ colors: { mode: picture().theme } });

function picture(): Picture {
  return (window as unknown as { picture: Picture }).picture;
}

function legend(format: string, labels: Record<string, string>): string {
  return format.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, name: string) => labels[name] ?? '');
}

function frames({ target, result, stepMs }: Answer): DataFrame[] {
  const { refId, legendFormat } = target;
  if (target.format === 'table') {
    const names = [...new Set(result.flatMap((series) => Object.keys(series.metric)))];
    const column = (name: string, type: FieldType, values: unknown[]) => ({ name, type, config: {}, values });
    return [
      {
        refId,
        length: result.length,
        fields: [
          column(
            'Time',
            FieldType.time,
            result.map((series) => series.values[0]![0] * 1000),
          ),
          ...names.map((name) =>
            column(
              name,
              FieldType.string,
              result.map((series) => series.metric[name] ?? ''),
            ),
          ),
          column(
            `Value #${refId}`,
            FieldType.number,
            result.map((series) => Number(series.values[0]![1])),
          ),
        ],
      },
    ];
  }
  return result.map((series) => ({
    refId,
    length: series.values.length,
    fields: [
      {
        name: 'Time',
        type: FieldType.time,
        config: { interval: stepMs },
        values: series.values.map(([time]) => time * 1000),
      },
      {
        name: 'Value',
        type: FieldType.number,
        config: { displayNameFromDS: legend(legendFormat, series.metric) },
        labels: series.metric,
        values: series.values.map(([, value]) => Number(value)),
      },
    ],
  }));
}

/** Which properties of a field a panel's configuration may set. Grafana's application has the list, its packages how to read each. */
function registry(config: FieldConfigSource): FieldConfigOptionsRegistry {
  const custom = new Set([
    ...Object.keys(config.defaults.custom ?? {}),
    ...config.overrides
      .flatMap((override) => override.properties.map(({ id }) => id))
      .flatMap((id) => (id.startsWith('custom.') ? [id.slice(7)] : [])),
  ]);
  const standard = {
    color: identityOverrideProcessor,
    decimals: numberOverrideProcessor,
    displayName: displayNameOverrideProcessor,
    links: identityOverrideProcessor,
    mappings: valueMappingsOverrideProcessor,
    max: numberOverrideProcessor,
    min: numberOverrideProcessor,
    noValue: identityOverrideProcessor,
    thresholds: thresholdsOverrideProcessor,
    unit: unitOverrideProcessor,
  };
  const item = (id: string, path: string, process: unknown, isCustom: boolean) => ({
    id,
    path,
    name: id,
    isCustom,
    process,
    shouldApply: () => true,
    settings: {},
  });
  return new FieldConfigOptionsRegistry(
    () =>
      [
        ...Object.entries(standard).map(([id, process]) => item(id, id, process, false)),
        ...[...custom].map((path) => item(`custom.${path}`, path, identityOverrideProcessor, true)),
      ] as never,
  );
}

async function prepare(panel: Panel): Promise<DataFrame[]> {
  const answers = picture().answers[String(panel.id)] ?? [];
  const raw = answers.flatMap(frames);
  const transformed = await lastValueFrom(
    transformDataFrame((panel.transformations ?? []) as DataTransformerConfig[], raw, { interpolate: (text) => text }),
  );
  const fieldConfig = panel.fieldConfig as FieldConfigSource;
  const data = applyFieldOverrides({
    data: transformed,
    fieldConfig,
    fieldConfigRegistry: registry(fieldConfig),
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
  });
  cacheFieldDisplayNames(data);
  return data;
}

const timeRange: TimeRange = (() => {
  const from = dateTime(picture().fromMs);
  const to = dateTime(picture().toMs);
  return { from, to, raw: { from, to } };
})();

function Stat({ panel, data, width, height }: Drawing): ReactNode {
  const options = panel.options as Record<string, never>;
  const values = getFieldDisplayValues({
    data,
    fieldConfig: panel.fieldConfig as FieldConfigSource,
    reduceOptions: options['reduceOptions']!,
    replaceVariables: (text) => text,
    theme,
  });
  if (values.length !== 1) return <>Error: a tile with {values.length} values</>;
  return (
    <BigValue
      value={values[0]!.display}
      width={width}
      height={height}
      theme={theme}
      colorMode={options['colorMode']!}
      graphMode={options['graphMode']!}
      justifyMode={options['justifyMode']!}
      textMode={options['textMode']!}
    />
  );
}

interface Drawing {
  panel: Panel;
  data: DataFrame[];
  width: number;
  height: number;
}

function Plot({ panel, data, width, height }: Drawing): ReactNode {
  return (
    <TimeSeries
      frames={data}
      width={width}
      height={height}
      timeRange={timeRange}
      timeZone="utc"
      legend={panel.options!['legend'] as VizLegendOptions}
      options={panel.options!}
    />
  );
}

function Rows({ panel, data, width, height }: Drawing): ReactNode {
  const options = panel.options as { sortBy: { displayName: string; desc?: boolean }[]; cellHeight: never };
  return (
    <TableNG
      data={data[0]!}
      width={width}
      height={height}
      sortBy={options.sortBy}
      cellHeight={options.cellHeight}
      fieldConfig={panel.fieldConfig as FieldConfigSource}
      noValue={panel.fieldConfig?.defaults.noValue}
      enableVirtualization={false}
    />
  );
}

const COMPONENTS: Record<string, (drawing: Drawing) => ReactNode> = { stat: Stat, table: Rows, timeseries: Plot };

function Board({ prepared }: { prepared: Map<Panel, DataFrame[]> }): ReactNode {
  const cell = (picture().width - 2 * GAP + GAP) / COLUMNS;
  const panels = picture().panels;
  const top = Math.min(...panels.map((panel) => panel.gridPos!.y));
  const bottom = Math.max(...panels.map((panel) => panel.gridPos!.y + panel.gridPos!.h));
  return (
    <div
      id="board"
      style={{
        position: 'relative',
        width: picture().width,
        height: (bottom - top) * (CELL + GAP) + GAP,
        background: theme.colors.background.canvas,
      }}
    >
      {panels.map((panel) => {
        const { x, y, w, h } = panel.gridPos!;
        const box = {
          position: 'absolute' as const,
          left: GAP + x * cell,
          top: GAP + (y - top) * (CELL + GAP),
          width: w * cell - GAP,
          height: h * (CELL + GAP) - GAP,
        };
        if (panel.type === 'row') {
          return (
            <h5
              key={panel.id}
              data-row={panel.id}
              style={{ ...box, margin: 0, lineHeight: `${CELL}px`, color: theme.colors.text.primary }}
            >
              {panel.title!.replace('$webhook', picture().webhook)}
            </h5>
          );
        }
        const Component = COMPONENTS[panel.type];
        const data = prepared.get(panel)!;
        return (
          <div key={panel.id} data-panel={panel.id} style={box}>
            <PanelChrome title={panel.title!} description={panel.description!} width={box.width} height={box.height}>
              {(width, height) =>
                !Component ? (
                  <>Error: no component for {panel.type}</>
                ) : data.every((frame) => frame.length === 0) ? (
                  <>No data</>
                ) : (
                  <Component panel={panel} data={data} width={width} height={height} />
                )
              }
            </PanelChrome>
          </div>
        );
      })}
    </div>
  );
}

/** Asks for a font until its declaration, which is rendered like all else, has come into force. */
async function loaded(font: string): Promise<void> {
  while ((await document.fonts.load(font)).length === 0) await new Promise(requestAnimationFrame);
}

async function draw(): Promise<void> {
  const { mergeTransformer, organizeFieldsTransformer } = standardTransformers;
  standardTransformersRegistry.setInit(
    () =>
      [mergeTransformer, organizeFieldsTransformer].map((transformer) => ({
        id: transformer.id,
        name: transformer.name,
        transformation: () => Promise.resolve(transformer),
      })) as never,
  );
  const prepared = new Map<Panel, DataFrame[]>();
  for (const panel of picture().panels) {
    if (panel.type !== 'row') prepared.set(panel, await prepare(panel));
  }
  const root = createRoot(document.getElementById('root')!);
  const show = (board: ReactNode) =>
    root.render(
      <ThemeContext.Provider value={theme}>
        <GlobalStyles />
        {board}
      </ThemeContext.Provider>,
    );
  // Components measure their text once, so that its fonts have to be there first.
  show(null);
  await loaded('400 14px Inter');
  await loaded('500 14px Inter');
  show(<Board prepared={prepared} />);
}

void draw().catch((error: unknown) => {
  document.body.append(`Error: ${String(error)}`);
  throw error;
});
