// What the report takes from Apache ECharts: nothing else gets into the page.
import * as core from 'echarts/core';
import { HeatmapChart, LineChart, ParallelChart, SankeyChart, ScatterChart } from 'echarts/charts';
import {
  DataZoomComponent, GridComponent, MarkAreaComponent, MarkLineComponent, ParallelComponent, TooltipComponent, VisualMapContinuousComponent,
} from 'echarts/components';
import { SVGRenderer } from 'echarts/renderers';

core.use([
  HeatmapChart, LineChart, ParallelChart, SankeyChart, ScatterChart,
  DataZoomComponent, GridComponent, MarkAreaComponent, MarkLineComponent, ParallelComponent, TooltipComponent, VisualMapContinuousComponent,
  SVGRenderer,
]);

export const init = core.init;
export const version = core.version;
